"""The test bed. Managed by Testbed: updates change this folder.

Your own fixtures go in ../conftest.py, what is particular to your application in
../wiring.py.
"""
