"""How good a version is: by playlists that people made, by what its table holds, and on a page to look at.

It asks the engine that serves. It may import every wing but segue_build.package.
"""
