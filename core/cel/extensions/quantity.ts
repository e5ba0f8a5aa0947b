import type { FunctionDeclaration, Library } from "../declarations.ts";
import * as quantities from "../pure/quantity.ts";
import { BOOL, DOUBLE, INT, opaqueOf, STRING } from "../types.ts";
import { celError, type CelError, normalise, Opaque, type Int, type Value } from "../values.ts";
import { declare, method, overload } from "./declare.ts";
import { ordering, reader, wrap } from "./readers.ts";

export class QuantityValue extends Opaque {
  readonly typeName = "kubernetes.Quantity";
  readonly quantity: quantities.Quantity;
  constructor(quantity: quantities.Quantity) {
    super();
    this.quantity = quantity;
  }
  override equals(other: Opaque): boolean {
    return other instanceof QuantityValue && quantities.compareQuantities(this.quantity, other.quantity) === 0;
  }
  override toString(): string {
    return quantities.formatQuantity(this.quantity);
  }
}

const QUANTITY = opaqueOf("kubernetes.Quantity");

/** Addition or subtraction of a quantity and another, or an int. */
function arithmetic(
  name: "add" | "sub",
  doc: string,
  work: typeof quantities.addQuantities,
  example: readonly [string, string],
): FunctionDeclaration {
  return declare(
    name,
    doc,
    [
      method(
        `quantity_${name}`,
        [QUANTITY, QUANTITY],
        QUANTITY,
        (a: QuantityValue, b: QuantityValue) => new QuantityValue(work(a.quantity, b.quantity)),
        { total: true },
      ),
      method(
        `quantity_${name}_int`,
        [QUANTITY, INT],
        QUANTITY,
        (a: QuantityValue, b: Int) => new QuantityValue(work(a.quantity, quantities.quantityOf(b))),
        { total: true },
      ),
    ],
    example,
  );
}

function toQuantity(text: string): Value | CelError {
  return wrap(quantities.parseQuantity(text), (quantity) => new QuantityValue(quantity));
}

function sign(value: QuantityValue): number {
  return quantities.signOf(value.quantity);
}

/** Kubernetes' `quantity` library. */
export const QUANTITIES: Library = {
  name: "quantity",
  doc: "Kubernetes' resource quantities, exact.",
  macros: [],
  types: [QUANTITY],
  functions: [
    declare(
      "quantity",
      "A quantity from text.",
      [reader("string_to_quantity", [STRING], QUANTITY, toQuantity)],
      ["quantity('1.5Gi') == quantity('1536Mi')", "true"],
    ),
    declare(
      "isQuantity",
      "Whether a text is a quantity.",
      [
        overload("is_quantity_string", [STRING], BOOL, (text: string) => quantities.parseQuantity(text).ok, {
          total: true,
        }),
      ],
      ["isQuantity('200K')", "false"],
    ),
    declare(
      "sign",
      "1, 0 or -1 as it is positive, zero or negative.",
      [
        overload("quantity_sign", [QUANTITY], INT, sign, { total: true }),
        method("quantity_sign_method", [QUANTITY], INT, sign, { total: true }),
      ],
      ["quantity('-1').sign()", "-1"],
    ),
    ...ordering(
      QUANTITY,
      "quantity",
      (a: QuantityValue, b: QuantityValue) => quantities.compareQuantities(a.quantity, b.quantity),
      ["quantity('50M')", "quantity('50Mi')"],
    ),
    declare(
      "isInteger",
      "Whether the value is a whole number that fits in an int.",
      [
        method(
          "quantity_is_integer",
          [QUANTITY],
          BOOL,
          (self: QuantityValue) => quantities.integerOf(self.quantity) !== undefined,
          { total: true },
        ),
      ],
      ["quantity('50.5').isInteger()", "false"],
    ),
    declare(
      "asInteger",
      "The value as an int; an error where it is none.",
      [
        method("quantity_get_int", [QUANTITY], INT, (self: QuantityValue) => {
          const value = quantities.integerOf(self.quantity);
          return value === undefined ? celError("cannot convert value to integer", "overflow") : normalise(value);
        }),
      ],
      ["quantity('50k').asInteger()", "50000"],
    ),
    declare(
      "asApproximateFloat",
      "The value as the nearest double.",
      [
        method("quantity_get_float", [QUANTITY], DOUBLE, (self: QuantityValue) => quantities.floatOf(self.quantity), {
          total: true,
        }),
      ],
      ["quantity('1500m').asApproximateFloat()", "1.5"],
    ),
    arithmetic("add", "The sum with another quantity or an int.", quantities.addQuantities, [
      "quantity('50k').add(20) == quantity('50020')",
      "true",
    ]),
    arithmetic("sub", "The difference from another quantity or an int.", quantities.subtractQuantities, [
      "quantity('50k').sub(quantity('20k')) == quantity('30k')",
      "true",
    ]),
  ],
};
