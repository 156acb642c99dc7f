"""A writer's session: the scene, the models that write on it, and the rate limits."""
