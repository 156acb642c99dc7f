"""What lies beside the weights of an adapter, for the stages that use it."""
