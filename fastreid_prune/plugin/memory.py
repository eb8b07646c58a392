"""Memory of a training on CPU."""

import ctypes
import sys

_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_THRESHOLD = -1, -2, -3
_MIB = 1 << 20


def keep_freed_memory() -> bool:
    """Have glibc keep what is freed for the next step, instead of giving it back to the system.

    Every training step allocates the same large blocks. By default each is mapped anew, page by page and zeroed, which
    took as long as the computation itself for MobileNetV2 on 128x64 images. The process holds its peak until it ends;
    the peak is no higher.

    Returns:
        Whether it was done: only on Linux with glibc.
    """
    if sys.platform != "linux":
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    # a threshold for mapping above 32 MiB is refused; what is larger is still mapped
    options = ((_M_MMAP_THRESHOLD, 32 * _MIB), (_M_TRIM_THRESHOLD, 2047 * _MIB), (_M_TOP_PAD, 64 * _MIB))
    return all([mallopt(option, value) == 1 for option, value in options])
