/* The editor's form as the fields of a character: what a draft keeps and what a preview is told. */

export type Fields = Record<string, unknown>;

const TEXTS = [
  "name",
  "nickname",
  "tagline",
  "description",
  "creator_notes",
  "system_prompt",
  "definition",
  "personality",
  "scenario",
  "post_history_instructions",
  "example_dialogue",
  "greeting",
] as const;
const LISTS = ["alternate_greetings", "suggestions"] as const;
/** What the model reads before the chat begins. */
export const PROMPT_FIELDS = ["system_prompt", "definition", "personality", "scenario", "example_dialogue", "post_history_instructions"] as const;

export function readFields(form: HTMLFormElement): Fields {
  const data = new FormData(form);
  const text = (name: string): string => String(data.get(name) ?? "").replaceAll("\r\n", "\n");
  const number = (name: string): number | null => (text(name) === "" || Number.isNaN(Number(text(name))) ? null : Number(text(name)));
  const fields: Fields = {};
  for (const name of TEXTS) fields[name] = text(name).trim();
  for (const name of LISTS) fields[name] = data.getAll(name).map((value) => String(value).trim()).filter(Boolean);
  fields.tags = [...new Set(text("tags").split(",").map((tag) => tag.trim().toLowerCase()).filter(Boolean))];
  fields.temperature = number("temperature");
  fields.max_tokens = number("max_tokens");
  fields.sampling = readSampling(data);
  fields.is_grounded = data.has("is_grounded");
  return fields;
}

/** Settings that are filled in; the lines of `stop` are a list. */
function readSampling(data: FormData): Fields {
  const settings: Fields = {};
  for (const [name, value] of data) {
    const text = String(value).trim();
    if (!name.startsWith("sampling-") || !text) continue;
    const setting = name.slice("sampling-".length);
    settings[setting] = setting === "stop" ? text.split("\n").map((line) => line.trim()).filter(Boolean) : Number(text);
  }
  return settings;
}
