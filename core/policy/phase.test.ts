import { describe, expect, test } from "@jest/globals";
import { PHASE_OF, phaseOf, phaseProblem, variablesIn, type PhaseTable } from "./phase.ts";
import { VARIABLES } from "./schema.ts";

const LATER: PhaseTable = { ...PHASE_OF, guard: "Prompt", answer: "Answer" };

describe("phases", () => {
  test("are known of every variable", () => {
    expect(Object.keys(PHASE_OF).sort()).toEqual(Object.keys(VARIABLES).sort());
  });

  test("are the latest of what an expression reads", () => {
    expect(phaseOf([])).toBe("Connect");
    expect(phaseOf(["source.spiffeId"])).toBe("Connect");
    expect(phaseOf(["source.spiffeId", "llm.model"])).toBe("Request");
    expect(phaseOf(["llm.model", "guard.pii"], LATER)).toBe("Prompt");
    expect(phaseOf(["answer.text", "source"], LATER)).toBe("Answer");
  });

  test("have the variables of those before them", () => {
    expect(Object.keys(variablesIn("Connect"))).toEqual(["source", "destination"]);
    expect(Object.keys(variablesIn("Request"))).toEqual(["source", "destination", "request", "llm"]);
  });

  test("refuse a rule that reads what comes after it has acted", () => {
    expect(phaseProblem("Allow", ["llm.model"])).toBeUndefined();
    expect(phaseProblem("Allow", ["llm.model", "answer.text"], LATER)).toBe(
      "answer.text is there from the phase Answer on, and Allow acts in Request at the latest",
    );
    expect(phaseProblem("Require", ["guard.pii"], LATER)).toBe(
      "guard.pii is there from the phase Prompt on, and Require acts in Request at the latest",
    );
  });
});
