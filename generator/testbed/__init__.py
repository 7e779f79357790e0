"""The `testbed` command: an integration-test bed for a Python web repository."""
