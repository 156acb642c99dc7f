"""The writers' room: an OpenAI client with a page, and nothing of the model world."""
