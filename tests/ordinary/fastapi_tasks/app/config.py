import os

# Read when the module is imported; missing is an error at once.
DATABASE_URL = os.environ['DATABASE_URL']
PAGE_SIZE = int(os.environ.get('PAGE_SIZE', '20'))
