import os

os.environ.setdefault('DATABASE_URL', 'postgresql+asyncpg://tasks@db.invalid/tasks')
