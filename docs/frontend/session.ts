// Sign-in for all tabs of the browser, with one refresh at a time, and impersonation for one tab.
import type { components } from "./contract.js";
import { ProblemError, type Problem } from "./problem.js";
import { SharedValue } from "./shared_value.js";

type Tokens = components["schemas"]["TokensView"];
type Started = components["schemas"]["StartedView"];

const IMPERSONATION = "postern.impersonation";
/** Name of the lock under which one tab at a time refreshes. */
const REFRESH = "postern.refresh";

export class Session {
  /** Called after each change of the signed-in or impersonated user. */
  onChange: () => void = () => {};

  /** Tokens of the signed-in user. */
  private readonly tokens = new SharedValue<Tokens>("postern.tokens");
  /** Announces sign-in and sign-out to the other tabs. */
  private readonly channel = new BroadcastChannel("postern.session");

  constructor(readonly baseUrl: string) {
    this.channel.onmessage = () => this.stopImpersonation();
    this.stopWhenExpired();
  }

  async isSignedIn(): Promise<boolean> {
    return (await this.tokens.get()) !== null;
  }

  /** The impersonation of this tab, or null. Show `impersonation.banner` of it on every page. */
  get impersonation(): Started | null {
    return JSON.parse(sessionStorage.getItem(IMPERSONATION) ?? "null") as Started | null;
  }

  async signIn(email: string, password: string): Promise<void> {
    const response = await this.post("/v1/auth/login", { email, password });
    if (!response.ok) throw await ProblemError.of(response);
    await this.tokens.set((await response.json()) as Tokens);
    this.announce();
  }

  async signOut(): Promise<void> {
    const response = await this.fetchAsSelf(this.request("/v1/auth/logout", {}));
    if (!response.ok && response.status !== 401) throw await ProblemError.of(response);
    await this.clear();
  }

  /** Sends the requests of this tab as the impersonated user. */
  impersonate(started: Started): void {
    sessionStorage.setItem(IMPERSONATION, JSON.stringify({ ...started, since: Date.now() }));
    this.stopWhenExpired();
    this.onChange();
  }

  /** Continues as the signed-in user. */
  stopImpersonation(): void {
    sessionStorage.removeItem(IMPERSONATION);
    this.onChange();
  }

  /** `fetch` with the access token of this tab: for `openapi-fetch`, and for streams. */
  readonly fetch = async (request: Request): Promise<Response> => {
    const impersonation = this.impersonation;
    if (impersonation === null) return this.fetchAsSelf(request);
    const response = await send(request, impersonation.access_token);
    // Ended or expired. The request fails: it was meant for the impersonated user.
    if (response.status === 401) this.stopThis(impersonation);
    return response;
  };

  /** `fetch` as the signed-in user. If the access token has expired, gets another one first. */
  readonly fetchAsSelf = async (request: Request): Promise<Response> => {
    const token = (await this.tokens.get())?.access_token ?? "";
    const response = await send(request.clone(), token);
    if (response.status !== 401) return response;
    if (((await response.clone().json()) as Problem).code === "token_expired") {
      const next = await this.refresh(token);
      return next === null ? response : send(request, next);
    }
    // The session has ended. Another tab may have begun another one.
    if ((await this.tokens.get())?.access_token === token) await this.clear();
    return response;
  };

  /**
   * Exchanges the refresh token, in one tab at a time: using it twice ends the session. Returns the
   * new access token, or null if the user has to sign in.
   */
  private async refresh(expired: string): Promise<string | null> {
    return await navigator.locks.request(REFRESH, async () => {
      const tokens = await this.tokens.get();
      // Another tab, or another request of this one, was first.
      if (tokens?.access_token !== expired) return tokens?.access_token ?? null;
      const body = { refresh_token: tokens.refresh_token };
      // Without a response, the token may have been used: it must not be sent again.
      const response = await this.post("/v1/auth/refresh", body).catch(() => null);
      if (response === null || response.status === 401) {
        await this.clear();
        return null;
      }
      if (!response.ok) throw await ProblemError.of(response);
      const next = (await response.json()) as Tokens;
      await this.tokens.set(next);
      return next.access_token;
    });
  }

  private async clear(): Promise<void> {
    await this.tokens.remove();
    this.announce();
  }

  private announce(): void {
    this.channel.postMessage(null);
    this.stopImpersonation();
  }

  private stopWhenExpired(): void {
    const started = this.impersonation as (Started & { since: number }) | null;
    if (started === null) return;
    // A relative time: the clock of the browser can be wrong.
    const left = started.since + started.expires_in * 1000 - Date.now();
    setTimeout(() => this.stopThis(started), left);
  }

  private stopThis({ access_token }: Started): void {
    if (this.impersonation?.access_token === access_token) this.stopImpersonation();
  }

  private post(path: string, body: unknown): Promise<Response> {
    return fetch(this.request(path, body));
  }

  private request(path: string, body: unknown): Request {
    const headers = { "content-type": "application/json" };
    return new Request(this.baseUrl + path, {
      method: "POST",
      headers,
      body: JSON.stringify(body),
    });
  }
}

function send(request: Request, token: string): Promise<Response> {
  request.headers.set("authorization", `Bearer ${token}`);
  return fetch(request);
}
