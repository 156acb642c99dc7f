"""The scene, the history of its versions, and the wire format of that history."""
