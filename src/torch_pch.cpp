// Exists so that the precompiled LibTorch headers have a target of their own.
