// Errors by their stable code.
import type { components } from "./contract.js";

export type Problem = components["schemas"]["Problem"];

/** An error response of Postern. */
export class ProblemError extends Error {
  constructor(
    readonly problem: Problem,
    /** Seconds to wait before the next attempt; null if an attempt would fail again. */
    readonly retryAfter: number | null,
  ) {
    super(problem.detail);
  }

  static async of(response: Response): Promise<ProblemError> {
    return new ProblemError((await response.json()) as Problem, retryAfter(response));
  }
}

export function retryAfter(response: Response): number | null {
  const seconds = response.headers.get("retry-after");
  return seconds === null ? null : Number(seconds);
}

/** Data of a successful response. Throws a `ProblemError` otherwise. */
export function ok<T>(result: { data?: T; error?: Problem; response: Response }): T {
  if (result.error !== undefined) {
    throw new ProblemError(result.error, retryAfter(result.response));
  }
  return result.data as T;
}

/** Texts for the problems that users can act on. A misspelled code does not compile. */
const TEXTS: Partial<Record<components["schemas"]["KnownProblemCode"], string>> = {
  invalid_credentials: "Wrong e-mail address or password.",
  too_many_attempts: "Too many attempts. Try again later.",
  stale: "Changed by someone else. Check the current values and save again.",
  impersonation_blocked: "Not possible while you act as a customer's user.",
  impersonation_read_only: "This impersonation is read-only.",
};

/** Text for the user. Postern can add codes: unknown ones get their title. */
export function text(error: unknown): string {
  // `fetch` got no response.
  if (error instanceof TypeError) return "No connection. Try again.";
  if (!(error instanceof ProblemError)) throw error;
  const texts: Record<string, string | undefined> = TEXTS;
  const { code, title, request_id } = error.problem;
  return texts[code] ?? `${title} (request ${request_id}).`;
}
