#!/bin/sh
# Not part of CI: it fetches PyTorch and takes some minutes. It needs Python 3.11 or newer and an x86 processor with AVX2.
#
# Intel MKL multiplies float32 matrices for PyTorch on a CPU. Without AVX-512 the same numbers may give other bits:
# - kernels for AVX2: a linear layer on a batch whose rows are not contiguous, where its weights learn
#   (`requires_grad`), against where they do not. PyTorch then makes one product of the batch, otherwise one for each
#   element, and MKL sums in another order.
# - kernels for SSE 4.2: a matrix times a vector, by where the matrix lies in memory.
# MKL_CBWR=AUTO,STRICT ends both, also when it is set after `import torch`, but not after MKL's first product.
# MKL_ENABLE_INSTRUCTIONS chooses the kernels here, so that any processor with AVX2 shows both. Where a matrix lies made
# no difference with the kernels for AVX2 or AVX-512 in any of some 2,000 products of small shapes.
# What AMD processors choose by themselves was not tried.
#
# Exits with 0 where all of this is so, with 1 where something has changed, with 2 where it cannot be tried.
set -eu
case "$(uname -m)" in x86_64 | amd64) ;; *) echo "this is no x86 processor"; exit 2 ;; esac
grep -qw avx2 /proc/cpuinfo || { echo "this processor has no AVX2"; exit 2; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check torch==2.13.0 numpy==2.4.6
cat > "$folder/bits.py" << 'PYTHON'
import os
import sys

when = sys.argv[1]
if when == "before import":
    os.environ["MKL_CBWR"] = "AUTO,STRICT"
import torch

if when == "after import":
    os.environ["MKL_CBWR"] = "AUTO,STRICT"
if when == "after a product":
    torch.ones(64, 64) @ torch.ones(64, 64)
    os.environ["MKL_CBWR"] = "AUTO,STRICT"
random = torch.Generator().manual_seed(0)
pictures, weight = torch.randn(8, 8, 16, generator=random), torch.randn(8, 8, generator=random)
matrix, vector = torch.randn(32, 64, generator=random), torch.randn(64, generator=random)
learning, places = set(), set()
for learns in (False, True):
    parameter = torch.nn.Parameter(weight.clone(), requires_grad=learns)
    with torch.no_grad():
        learning.add(torch.nn.functional.linear(pictures.transpose(1, 2), parameter).numpy().tobytes())
for place in range(16):
    copy = torch.empty(matrix.numel() + 16)[place : place + matrix.numel()].view(matrix.shape)
    places.add((copy.copy_(matrix) @ vector).numpy().tobytes())
print(len(learning), len(places))
PYTHON
"$folder/venv/bin/python" -c '
import numpy, platform, torch
print("python", platform.python_version(), "numpy", numpy.__version__, "torch", torch.__version__)
print(next(line.strip(" -") for line in torch.__config__.show().splitlines() if "Math Kernel" in line))'
sed -n '/model name/{s/.*: //p;q;}' /proc/cpuinfo
echo "kernels, when MKL_CBWR was set: answers by learning or not, by 16 places in memory"
changed=0
expect() {
    answer=$(env -u MKL_CBWR MKL_ENABLE_INSTRUCTIONS="$1" "$folder/venv/bin/python" "$folder/bits.py" "$2")
    mark="as known"
    test "$answer" = "$3" || { mark="CHANGED, was $3"; changed=1; }
    echo "$1, $2: $answer ($mark)"
}
expect AVX2 never "2 1"
expect AVX2 "before import" "1 1"
expect AVX2 "after import" "1 1"
expect AVX2 "after a product" "2 1"
expect SSE4_2 never "1 4"
expect SSE4_2 "before import" "1 1"
expect SSE4_2 "after import" "1 1"
expect SSE4_2 "after a product" "1 4"
exit $changed
