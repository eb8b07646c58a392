"""The main module of a process that a script under ``fastreid-prune run`` has spawned.

It registers the plug-in, then runs the script's top level under the name that Python gives to main modules of spawned
processes, so that functions pickled by the parent are found here.
"""

import os
import runpy

from fastreid_prune.plugin.launcher import SCRIPT, register_for, spawn_with_plugin

register_for(os.environ[SCRIPT])
spawn_with_plugin()
globals().update(runpy.run_path(os.environ[SCRIPT], run_name="__mp_main__"))
