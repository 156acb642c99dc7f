"""Trainer of a benchmark configuration, on random tokens in the lengths of real examples."""

import random
from pathlib import Path
from typing import Any

from benchmarks.train.setups import ThroughputSetup


def make_trainer(
    setup: ThroughputSetup,
    model: Any,
    lengths: list[list[int]],
    steps: int,
    folder: Path,
    *,
    gpu: bool,
) -> Any:
    """Build the configuration's trainer.

    Args:
        lengths: Tokens of each example: the whole and its completion.
    """
    from datasets import Dataset
    from peft import LoraConfig

    from train.base_model.pocket import build_tokenizer
    from train.fused import attention

    trainer = _choose_class(setup)(
        model=model,
        args=_build_arguments(setup, steps, folder, gpu=gpu),
        train_dataset=Dataset.from_list(_make_examples(lengths, model.config.vocab_size)),
        processing_class=build_tokenizer(["no words"]),
        peft_config=LoraConfig(
            r=setup.rank,
            lora_alpha=setup.rank,
            lora_dropout=setup.dropout,
            target_modules="all-linear",
            task_type="CAUSAL_LM",
        ),
    )
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.float()
    if setup.padding_free and not setup.fused:
        attention.register()
        model.set_attn_implementation(attention.NAME)
    return trainer


def count_tokens(trainer: Any) -> list[int]:
    """Return a list that gets the tokens of every micro-batch, padding excluded."""
    counts: list[int] = []
    collate = trainer.data_collator

    def counted(examples: list[dict[str, list[int]]]) -> Any:
        counts.append(sum(len(example["input_ids"]) for example in examples))
        return collate(examples)

    trainer.data_collator = counted
    return counts


def _choose_class(setup: ThroughputSetup) -> Any:
    from transformers import Trainer
    from trl.trainer.sft_trainer import SFTTrainer

    from train.fused.trainer import FusedTrainer

    class FullLogits(SFTTrainer):
        compute_loss = Trainer.compute_loss

    return FusedTrainer if setup.fused else FullLogits if setup.full_logits else SFTTrainer


def _build_arguments(setup: ThroughputSetup, steps: int, folder: Path, *, gpu: bool) -> Any:
    from trl.trainer.sft_config import SFTConfig

    return SFTConfig(
        output_dir=str(folder),
        max_length=None,
        max_steps=steps,
        learning_rate=3e-5,
        weight_decay=0.005,
        per_device_train_batch_size=setup.micro_batch,
        gradient_accumulation_steps=setup.batch // setup.micro_batch,
        padding_free=setup.padding_free,
        gradient_checkpointing=setup.checkpointing,
        bf16=gpu,
        use_cpu=not gpu,
        dataset_kwargs={"skip_prepare_dataset": True},
        logging_first_step=True,
        logging_steps=1000,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        seed=42,
    )


def _make_examples(lengths: list[list[int]], vocabulary: int) -> list[dict[str, list[int]]]:
    draw = random.Random(0)  # noqa: S311
    examples = []
    for whole, completion in lengths[:512]:
        ids = draw.choices(range(10, vocabulary), k=whole)
        labels = [-100] * (whole - completion) + ids[-completion:]
        examples.append({"input_ids": ids, "labels": labels})
    return examples
