"""Torch's caches of products are bounded, in the engines and in training."""

import subprocess
import sys

import pytest

from tests.serve.conftest import ROOT

# How many MB are in use after products of 300 numbers of rows, and after another 300.
PRODUCTS = """
import ctypes
import os
{setting}
import torch

class MallInfo(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in "abcdefghij"]

libc = ctypes.CDLL(None)
libc.mallinfo2.restype = MallInfo
weights = torch.randn(576, 1536).bfloat16()
with torch.inference_mode():
    for first in (10, 310):
        for rows in range(first, first + 300):
            torch.ones(rows, 576).bfloat16() @ weights
        info = libc.mallinfo2()
        print((info.e + info.h) / 2**20)
"""


SERVING = """
from serve.torch_variables import list_torch_variables
os.environ |= list_torch_variables()
"""
TRAINING = """
from train.library_settings import prepare_libraries
prepare_libraries()
"""


@pytest.mark.parametrize("setting", [SERVING, TRAINING])
def test_texts_of_new_lengths_do_not_take_ever_more_memory(setting: str) -> None:
    program = PRODUCTS.replace("{setting}", setting)
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    before, after = map(float, done.stdout.split())
    # Without a bound on torch's caches it is 180 MB more on a CPU with products in bf16.
    assert after - before < 8
