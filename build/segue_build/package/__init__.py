"""What is deployed: code, wheels for the platform, byte code and the current version, in a folder and a zip.

It tries the package before it says that it is done. It imports no other wing.
"""
