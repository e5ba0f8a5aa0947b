// jest reporter: writes the run's counts to the file named by SALLYPORT_COUNTS. (jest's own --json also writes every error's
// details, and gives up on one that holds itself.)
import fs from "node:fs";
import process from "node:process";

export default class Counts {
  onRunComplete(_contexts, results) {
    const file = process.env["SALLYPORT_COUNTS"];
    if (file === undefined) return;
    const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, numRuntimeErrorTestSuites } = results;
    const counts = { numPassedTests, numFailedTests, numPendingTests, numTodoTests, numRuntimeErrorTestSuites };
    fs.writeFileSync(file, JSON.stringify(counts));
  }
}
