"""One writer's session: the scene, the models writing on it, the limits."""
