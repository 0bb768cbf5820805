"""What the nemesis can do to a network; one module for each kind of thing that fails.

A fault is a class behind `fault.Fault`, made known by `fault.registered`. It needs no list elsewhere: `find` imports
every module of this folder.
"""
