"""Publishing: a gate, the transfer of files, one pointer that is swapped, and a history.

It works on folders and buckets alike, by :mod:`segue.releases`. It imports no other wing.
"""
