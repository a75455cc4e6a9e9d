"""The model's layers under LoRA and FP8, in few passes over memory."""
