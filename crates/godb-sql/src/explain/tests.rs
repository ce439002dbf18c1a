//! How plans read as text: the golden plans beside the optimizer are explained by this module.
