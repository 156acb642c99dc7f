"""The controller: scripts become a new show and its adapter, by child processes, over HTTP."""
