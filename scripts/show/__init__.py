"""The demo's parts: the stack of processes, the requests, the story and the screen."""
