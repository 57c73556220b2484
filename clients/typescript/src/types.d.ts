// The interface's types, as they are printed from its table of methods.
export * from "../../../docs/sluice.js";
