"""The room's side of the controller, which makes new shows on this machine."""
