import asyncio

from shop.main import create_app
from shop.settings import Settings


def test_starts_and_stops_twice_without_any_service(settings: Settings) -> None:
    app = create_app(settings)

    async def start_and_stop() -> object:
        async with app.router.lifespan_context(app):
            return app.state.session_factory

    assert asyncio.run(start_and_stop()) is not asyncio.run(start_and_stop())


def test_documents_every_client_error_as_one_sentence(settings: Settings) -> None:
    operations = [
        operation
        for path in create_app(settings).openapi()["paths"].values()
        for operation in path.values()
    ]
    for operation in operations:
        schema = operation["responses"]["4XX"]["content"]["application/json"]["schema"]
        assert schema == {"$ref": "#/components/schemas/ErrorDetail"}
