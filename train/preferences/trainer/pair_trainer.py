"""TRL's DPO, whose evaluations check the reference."""

from typing import Any

from trl.trainer.dpo_trainer import DPOTrainer


class PairTrainer(DPOTrainer):
    """DPO, whose evaluations give the loss of the preference alone."""

    def evaluate(self, *arguments: Any, **options: Any) -> Any:
        """Evaluate the votes; the loss is that of the first kind."""
        weights = self.loss_weights
        self.loss_weights = [1.0, *(0.0 for _ in weights[1:])]
        try:
            return super().evaluate(*arguments, **options)
        finally:
            self.loss_weights = weights
