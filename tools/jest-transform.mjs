// jest transformer: strips types with Node's own stripper, so tests run the code that Node runs.
import { stripTypeScriptTypes } from "node:module";

export default {
  process(source, path) {
    return { code: path.endsWith(".ts") ? stripTypeScriptTypes(source, { mode: "strip" }) : source };
  },
};
