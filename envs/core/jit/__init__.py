"""How device functions and kernels become machine code, and where that is kept.

`unseen.envs.core.device` offers what authors and the engine need; behind it stands one of three ways:

- `linked`: the rule. Each device function is compiled to LLVM bitcode once and stored by what it says; a kernel is
  linked from these and optimised as a whole. It leans on the inside of Numba, in the versions it was tested with.
- `plain`: any other version of Numba, by its public interface alone: slower to compile, equal in what it computes.
- `interpreted`: `NUMBA_DISABLE_JIT=1`. Nothing is compiled, and a debugger stops anywhere.

`fingerprint` says when two functions are the same, `cache` keeps files, `announce` tells people why they wait.
"""
