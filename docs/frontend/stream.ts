// Audit events as they happen. `EventSource` cannot send the access token; `fetch` can.
import type { components } from "./contract.js";
import { ProblemError } from "./problem.js";
import type { Session } from "./session.js";

type Event = components["schemas"]["Event"];

const RECONNECT_MS = 2_000;
/** A comment arrives every 15 s. */
const SILENCE_MS = 30_000;

/** Events of an org from now on. Reconnects without a gap until `signal` is aborted. */
export async function* auditEvents(session: Session, org: string, signal: AbortSignal) {
  const url = `${session.baseUrl}/v1/orgs/${org}/audit-events/stream`;
  let position: string | null = null;
  while (!signal.aborted) {
    const headers = new Headers({ accept: "text/event-stream" });
    if (position !== null) headers.set("last-event-id", position);
    try {
      // `session.fetch` refreshes the token: the stream ends when it expires.
      const response = await session.fetch(new Request(url, { headers, signal }));
      if (!response.ok) throw await ProblemError.of(response);
      for await (const message of messages(response)) {
        position = message.get("id") ?? position;
        const data = message.get("data");
        if (data !== undefined) yield JSON.parse(data) as Event;
      }
    } catch (error) {
      if (error instanceof ProblemError && error.retryAfter === null) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, RECONNECT_MS));
  }
}

/** Fields of each message, until the stream ends or is silent. */
async function* messages(response: Response): AsyncGenerator<Map<string, string>> {
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  try {
    for (;;) {
      const silent = AbortSignal.timeout(SILENCE_MS);
      const silence = new Promise<never>((_, reject) => {
        silent.onabort = () => reject(new Error("the stream is silent"));
      });
      const { value, done } = await Promise.race([reader.read(), silence]);
      if (done) return;
      const parts = (text + value).split("\n\n");
      text = parts.pop() ?? "";
      for (const part of parts) {
        const fields = part.split("\n").map((line) => line.split(/: ?(.*)/s, 2));
        yield new Map(fields.map(([name = "", content = ""]) => [name, content]));
      }
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}
