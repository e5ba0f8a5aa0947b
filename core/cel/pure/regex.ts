import { RE2JS } from "re2js";
import { LazyDfa } from "./regex/dfa.ts";
import { parse } from "./regex/parse.ts";
import { translateForV8, type V8Test } from "./regex/v8.ts";
import { failure, success, type Result } from "./result.ts";

/** Longest subject of `test`, in UTF-16 units. */
export const MAX_TEST_SUBJECT = 1_048_576;
/** Longest subject of the functions that give back parts of the subject. */
export const MAX_FIND_SUBJECT = 65_536;
/** Steps that V8 may take in the worst case of one test: some 5 ms. */
const MAX_V8_STEPS = 4_194_304;
/** Instructions times units that RE2JS may visit in the worst case of one search. */
const MAX_FIND_STEPS = 1_048_576;

export type CompiledRegex =
  | { readonly ok: true; readonly regex: Regex }
  /** The offset is in UTF-16 units from the start of the pattern. */
  | { readonly ok: false; readonly message: string; readonly offset: number };

type Failure = { readonly ok: false; readonly message: string };

/**
 * A compiled RE2 pattern. `engine` says what `test` runs on: V8's own matcher for patterns that it decides in
 * linear time, else an automaton.
 */
export class Regex {
  readonly pattern: string;
  readonly engine: "v8" | "automaton";
  /** Number of capture groups. */
  readonly groups: number;
  readonly #v8: RegExp | undefined;
  readonly #maxV8: number;
  readonly #automaton: LazyDfa | undefined;
  /** Made when it is first needed: it is large, and most patterns are only tested. */
  #re2: RE2JS | undefined;

  constructor(pattern: string, groups: number, test: V8Test | LazyDfa) {
    this.pattern = pattern;
    this.groups = groups;
    if (test instanceof LazyDfa) {
      this.engine = "automaton";
      this.#automaton = test;
      this.#maxV8 = 0;
    } else {
      this.engine = "v8";
      this.#v8 = test.regexp;
      this.#maxV8 = Math.min(MAX_TEST_SUBJECT, Math.floor((MAX_V8_STEPS - test.bound.once) / test.bound.perUnit));
    }
  }

  /** Whether the pattern matches somewhere in the subject; a failure if the subject is too long or takes too much work. */
  test(subject: string): boolean | Failure {
    if (this.#v8 !== undefined)
      return subject.length <= this.#maxV8 ? this.#v8.test(subject) : tooLong(subject, this.#maxV8);
    if (subject.length > MAX_TEST_SUBJECT) return tooLong(subject, MAX_TEST_SUBJECT);
    return (
      this.#automaton?.test(subject) ??
      failure(`regular expression takes too much work on a subject of ${subject.length} characters`)
    );
  }

  /** The leftmost match, or undefined if there is none. */
  find(subject: string): Result<string | undefined> {
    const matcher = this.#matcher(subject);
    if (!matcher.ok) return matcher;
    return success(matcher.value.find() ? subject.slice(matcher.value.start(), matcher.value.end()) : undefined);
  }

  /**
   * The non-overlapping matches from the left, at most `limit` of them (a negative limit: all). As in Go, an empty
   * match right after another match does not count.
   */
  findAll(subject: string, limit: number): Result<readonly string[]> {
    const found: string[] = [];
    return this.#each(subject, limit, found, (matcher) => {
      found.push(matcher.group(0) ?? "");
      return undefined;
    });
  }

  /**
   * The leftmost match, or its one capture group where the pattern has one; undefined if nothing matches. A pattern
   * with more groups is refused. A group that matched nothing counts as no match (cel-go's `regex.extract`).
   */
  extract(subject: string): Result<string | undefined> {
    const all = this.#extract(subject, 1);
    return all.ok ? success(all.value[0]) : all;
  }

  /** As `extract`, for every match; matches whose group is empty are left out. */
  extractAll(subject: string): Result<readonly string[]> {
    return this.#extract(subject, -1);
  }

  /**
   * Replaces matches from the left, at most `limit` (a negative limit: all). In the replacement \1 to \9 stand for
   * the groups, \0 for the match and \\ for a backslash.
   */
  replace(subject: string, replacement: string, limit: number): Result<string> {
    const parts = parseReplacement(replacement, this.groups);
    if (!parts.ok) return parts;
    let out = "";
    let from = 0;
    const done = this.#each(subject, limit, undefined, (matcher) => {
      out += subject.slice(from, matcher.start());
      for (const part of parts.value) out += typeof part === "string" ? part : (matcher.group(part) ?? "");
      from = matcher.end();
      return out.length > MAX_TEST_SUBJECT ? `replaced text is longer than ${MAX_TEST_SUBJECT} characters` : undefined;
    });
    return done.ok ? success(out + subject.slice(from)) : done;
  }

  #extract(subject: string, limit: number): Result<readonly string[]> {
    if (this.groups > 1)
      return failure(`regular expression has more than one capturing group: ${JSON.stringify(this.pattern)}`);
    const found: string[] = [];
    const group = this.groups;
    return this.#each(subject, limit, found, (matcher) => {
      const text: string | null = matcher.group(group);
      if (text !== null && (group === 0 || text !== "")) found.push(text);
      return undefined;
    });
  }

  #each<T>(subject: string, limit: number, value: T, visit: (matcher: Matcher) => string | undefined): Result<T> {
    const matcher = this.#matcher(subject);
    if (!matcher.ok) return matcher;
    let previousEnd = -1;
    for (let left = limit < 0 ? Infinity : limit; left > 0 && matcher.value.find();) {
      const [start, end] = [matcher.value.start(), matcher.value.end()];
      if (start === end && start === previousEnd) continue;
      previousEnd = end;
      left--;
      const problem = visit(matcher.value);
      if (problem !== undefined) return failure(problem);
    }
    return success(value);
  }

  #matcher(subject: string): Result<Matcher> {
    this.#re2 ??= RE2JS.compile(this.pattern);
    const limit = Math.min(MAX_FIND_SUBJECT, Math.floor(MAX_FIND_STEPS / this.#re2.programSize()));
    return subject.length <= limit ? success(this.#re2.matcher(subject)) : tooLong(subject, limit);
  }
}

type Matcher = ReturnType<RE2JS["matcher"]>;

function tooLong(subject: string, limit: number): Failure {
  return failure(`subject of ${subject.length} characters is too long for this regular expression (limit ${limit})`);
}

/** Splits a replacement into texts and group numbers. */
function parseReplacement(replacement: string, groups: number): Result<readonly (string | number)[]> {
  const parts: (string | number)[] = [];
  for (let i = 0; i < replacement.length; i++) {
    const slash = replacement.indexOf("\\", i);
    if (slash !== i) {
      const end = slash < 0 ? replacement.length : slash;
      parts.push(replacement.slice(i, end));
      i = end - 1;
      continue;
    }
    const next = replacement.charAt(++i);
    if (next === "\\") parts.push("\\");
    else if (next >= "0" && next <= "9") {
      if (Number(next) > groups)
        return failure(`replacement names group ${next}, but the regular expression has ${groups}`);
      parts.push(Number(next));
    } else
      return failure(
        `replacement ${JSON.stringify(replacement)} has a backslash before something other than a digit or a backslash`,
      );
  }
  return success(parts);
}

/** Compiles a pattern in RE2's syntax, as Go's regexp package accepts it. */
export function compileRegex(pattern: string): CompiledRegex {
  const parsed = parse(pattern);
  if (!parsed.ok) return parsed;
  try {
    RE2JS.compile(pattern);
  } catch (error) {
    return { ok: false, message: error instanceof Error ? error.message : String(error), offset: 0 };
  }
  const test = translateForV8(parsed.node) ?? new LazyDfa(parsed.node);
  return { ok: true, regex: new Regex(pattern, parsed.groups, test) };
}

/** Patterns that are not constants are kept here, the least recently used forgotten first. */
const MAX_CACHED = 128;
const cache = new Map<string, CompiledRegex>();

/** As `compileRegex`, for patterns known at run time only: a bounded number of them is remembered. */
export function compileCached(pattern: string): CompiledRegex {
  const known = cache.get(pattern);
  if (known !== undefined) {
    cache.delete(pattern);
    cache.set(pattern, known);
    return known;
  }
  const compiled = compileRegex(pattern);
  const oldest = cache.size < MAX_CACHED ? undefined : cache.keys().next().value;
  if (oldest !== undefined) cache.delete(oldest);
  cache.set(pattern, compiled);
  return compiled;
}

/** Whether {@link compileCached} knows a pattern already, so that it costs nothing. */
export function isCached(pattern: string): boolean {
  return cache.has(pattern);
}
