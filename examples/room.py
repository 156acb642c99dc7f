"""A program that uses a running room: continues a scene and writes it as Fountain.

pip install gradio_client
python examples/room.py http://127.0.0.1:7860
"""

import sys

from gradio_client import Client

SCENE = "[DOT] It is ringing.\n[FELIX] Nobody has that number."

room = Client(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:7860", verbose=False)
model = room.predict(api_name="/models")[-1]  # adapters come after their base
lines = room.predict(
    script=SCENE,
    model=model,
    premise="A telephone is handed in, and every call is for Mr. Pike.",
    present="DOT, FELIX, MR. PIKE",
    lines=4,
    api_name="/continue_scene",
)
print(room.predict(f"{SCENE}\n{lines}", "fountain", "The Call", api_name="/export_scene"))
