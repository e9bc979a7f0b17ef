// What a frontend writes against the generated client; `check.sh` compiles it in strict mode.
// Nothing here is run: that it compiles says that the contract reads as its users need it.
import createClient from "openapi-fetch";
import type { components, operations, paths } from "./client";

type Problem = components["schemas"]["Problem"];
type Community = components["schemas"]["Community"];
type Standing = components["schemas"]["Standing"];
type Submission = operations["submit_join_request"]["requestBody"]["content"]["application/json"];

const api = createClient<paths>({ baseUrl: "https://communities.example.org" });

export async function signIn(username: string, password: string): Promise<string> {
  const { data, error } = await api.POST("/api/v1/auth/tokens", {
    body: { grant_type: "password", username, password },
  });
  if (error) throw new Error(told(error));
  return data.access_token;
}

export function told(problem: Problem): string {
  const fields = (problem.errors ?? []).map((field) => `${field.pointer ?? field.parameter}`);
  const reasons = (problem.because ?? []).map((reason) => reason.detail);
  return [problem.detail, ...reasons, ...fields].join(" ");
}

export async function catalogue(): Promise<Community[]> {
  const found: Community[] = [];
  let cursor: string | undefined;
  do {
    const { data, error } = await api.GET("/api/v1/communities", {
      params: { query: { limit: 100, status: "active", include: "total", cursor } },
    });
    if (error) throw new Error(told(error));
    found.push(...data.items);
    cursor = data.next_cursor ?? undefined;
  } while (cursor !== undefined);
  return found;
}

export function line(community: Community, language: "en" | "fr"): string {
  const members: number | null = community.member_count;
  const restricted: boolean = community.eligible_occupations.length > 0;
  const since: string = community.last_activity_at ?? "never";
  return `${community.name[language]} ${members ?? "?"} ${restricted} ${since}`;
}

export const form: Submission = {
  name: "Siobhan O'Neill",
  email: "siobhan@example.org",
  communities: ["drug-treatment-court"],
  occupation: "Defence counsel",
  affiliation: "Legal Aid Ontario",
  area_of_interest: "sanctions and incentives",
  agrees_to_rules_version: 1,
};

export async function askToJoin(key: string): Promise<string[]> {
  const { data, error } = await api.POST("/api/v1/join-requests", {
    params: { header: { "Idempotency-Key": key } },
    body: form,
  });
  return error ? [told(error)] : data.items.map((item) => `${item.community.slug} ${item.status}`);
}

export async function standing(community: string): Promise<Standing | null> {
  const { data } = await api.GET("/api/v1/communities/{community}/standing", {
    params: { path: { community } },
  });
  return data ?? null;
}

export async function rename(community: string, etag: string): Promise<number> {
  const { data, response } = await api.PATCH("/api/v1/communities/{community}", {
    params: { path: { community }, header: { "If-Match": etag } },
    body: { name: { en: "Rural Courts", fr: "Tribunaux en région rurale" } },
  });
  const status: components["schemas"]["CommunityStatus"] | undefined = data?.status;
  return status === "archived" ? 0 : response.status;
}

export async function forgetAffiliation(): Promise<string | null | undefined> {
  const { data } = await api.PATCH("/api/v1/me", { body: { affiliation: null } });
  return data?.affiliation;
}

export async function reply(discussion_id: string, body: string): Promise<string | null> {
  const { data, error } = await api.POST("/api/v1/discussions/{discussion_id}/posts", {
    params: { path: { discussion_id } },
    body: { body, language: "en" },
  });
  if (error) return error.code === "identity.incomplete" ? "Complete your profile." : told(error);
  return data.viewer.can.includes("update_post") ? data.body_html : null;
}

export async function empty(membership_id: string): Promise<boolean> {
  const { error } = await api.DELETE("/api/v1/memberships/{membership_id}/suspension", {
    params: { path: { membership_id } },
  });
  return error === undefined;
}

// What the contract refuses, the compiler refuses.
// @ts-expect-error an unknown member
export const extra: Submission = { ...form, is_admin: true };
// @ts-expect-error a number is no text
export const wrong: Submission = { ...form, name: 5 };
// @ts-expect-error no such language
export const language: components["schemas"]["Language"] = "de";
