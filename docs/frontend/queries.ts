// Lists with cursors, edits with `If-Match` and starts with an idempotency key, for TanStack Query.
// With React, pass the options to `useInfiniteQuery`, `useQuery` and `useMutation`.
import { QueryClient, type QueryFunctionContext, type QueryKey } from "@tanstack/query-core";
import createClient from "openapi-fetch";
import type { components, paths } from "./contract.js";
import { ProblemError, ok } from "./problem.js";
import type { Session } from "./session.js";

type Schemas = components["schemas"];

/** Client with the access token of this tab. */
export function createApi({ baseUrl, fetch }: Pick<Session, "baseUrl" | "fetch">) {
  // Problems are JSON too.
  return createClient<paths, "application/json" | "application/problem+json">({ baseUrl, fetch });
}

export type Api = ReturnType<typeof createApi>;

/** Repeats after temporary problems only, and waits as long as Postern asks. */
const retry = {
  retry: (failures: number, error: Error) =>
    failures < 3 && (!(error instanceof ProblemError) || error.retryAfter !== null),
  retryDelay: (failures: number, error: Error) =>
    1000 * ((error instanceof ProblemError ? error.retryAfter : null) ?? 2 ** failures),
};

export function createQueryClient(): QueryClient {
  return new QueryClient({ defaultOptions: { queries: { ...retry, staleTime: 10_000 } } });
}

/** Members of an org, a page at a time: `fetchNextPage` until `hasNextPage` is false. */
export const membersQuery = (api: Api, org: string) => ({
  queryKey: ["org", org, "members"],
  initialPageParam: null as string | null,
  queryFn: async ({ pageParam, signal }: QueryFunctionContext<QueryKey, string | null>) => {
    const query = { limit: 3, ...(pageParam === null ? {} : { cursor: pageParam }) };
    const params = { path: { org }, query };
    return ok(await api.GET("/v1/orgs/{org}/members", { params, signal }));
  },
  getNextPageParam: (page: Schemas["MemberPage"]) => page.next_cursor,
});

const settingsKey = (org: string) => ["org", org, "settings"];

/** Settings of an org, with the version that an edit is based on. */
export const settingsQuery = (api: Api, org: string) => ({
  queryKey: settingsKey(org),
  queryFn: async ({ signal }: QueryFunctionContext) => {
    const params = { path: { org } };
    const result = await api.GET("/v1/orgs/{org}/settings", { params, signal });
    return { settings: ok(result), etag: result.response.headers.get("etag") ?? "" };
  },
});

export interface SettingsEdit {
  /** ETag of the settings that the user has seen. */
  etag: string;
  change: Schemas["UpdateSettingsBody"];
}

/** Fails with the problem `stale` if the settings have changed: overwrites no other edit. */
export const settingsMutation = (api: Api, client: QueryClient, org: string) => ({
  mutationFn: async ({ etag, change }: SettingsEdit) => {
    const params = { path: { org }, header: { "If-Match": etag } };
    return ok(await api.PATCH("/v1/orgs/{org}/settings", { params, body: change }));
  },
  // After success, and after 412: shows the current version, with its ETag.
  onSettled: () => client.invalidateQueries({ queryKey: settingsKey(org) }),
});

export interface ImpersonationStart {
  /** `crypto.randomUUID()`, once per form: the same for each attempt. */
  key: string;
  body: Schemas["StartImpersonationBody"];
}

/** Starts an impersonation. The key makes attempts after a lost response safe. */
export const impersonationMutation = (api: Api, session: Session) => ({
  ...retry,
  mutationFn: async ({ key, body }: ImpersonationStart) => {
    const params = { header: { "Idempotency-Key": key } };
    return ok(await api.POST("/v1/admin/impersonations", { params, body }));
  },
  onSuccess: (started: Schemas["StartedView"]) => session.impersonate(started),
});
