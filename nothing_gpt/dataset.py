"""The files that data_prep leaves for the later stages, by name."""

TRAIN = "train.jsonl"
VALIDATION = "val.jsonl"
DIALOGUES = "dialogues.jsonl"
REPORT = "report.json"
