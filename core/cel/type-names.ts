import { formatType, type CelType } from "./types.ts";
import { Boxed, kindOf, Opaque, TypeValue, type Value } from "./values.ts";

/** The name of a type as a value: parameters do not count, `type([1]) == list`. */
export function typeName(type: CelType): string {
  switch (type.kind) {
    case "timestamp":
      return "google.protobuf.Timestamp";
    case "duration":
      return "google.protobuf.Duration";
    case "null":
      return "null_type";
    case "optional":
      return "optional_type";
    case "list":
    case "map":
    case "type":
      return type.kind;
    case "opaque":
      return type.name;
    default:
      return formatType(type);
  }
}

/** The name of the type of a universal value. */
export function typeNameOf(value: Value): string {
  if (value instanceof Opaque) return value.typeName;
  const kind = kindOf(value);
  switch (kind) {
    case "timestamp":
      return "google.protobuf.Timestamp";
    case "duration":
      return "google.protobuf.Duration";
    case "optional":
      return "optional_type";
    case undefined:
      return value instanceof Boxed ? "value" : typeof value;
    default:
      return kind;
  }
}

/** What `type(value)` yields. */
export function typeOfValue(value: Value): TypeValue {
  return new TypeValue(typeNameOf(value));
}
