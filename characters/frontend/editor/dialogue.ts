/* Example dialogue as cards write it, and as turns: <START> begins an example, a turn begins with its speaker. */

export interface Turn {
  speaker: "user" | "char";
  text: string;
}

export type Example = Turn[];

const START = /^\s*<START>\s*$/im;
const SPEAKER = /^\s*\{\{(user|char)\}\}\s*:\s?/i;

/** The examples in a text; null where it holds anything besides turns, which only the text itself can show. */
export function readDialogue(text: string): Example[] | null {
  const examples: Example[] = [];
  for (const block of text.replaceAll("\r\n", "\n").split(START)) {
    if (!block.trim()) continue;
    const turns: Turn[] = [];
    for (const line of block.trim().split("\n")) {
      const speaker = SPEAKER.exec(line);
      if (speaker) turns.push({ speaker: speaker[1]!.toLowerCase() as Turn["speaker"], text: line.slice(speaker[0].length) });
      else if (turns.length) turns.at(-1)!.text += `\n${line}`;
      else return null;
    }
    examples.push(turns);
  }
  return examples;
}

/** The text of examples; reading it again gives the same turns. */
export function writeDialogue(examples: Example[]): string {
  return examples
    .filter((turns) => turns.length)
    .map((turns) => `<START>\n${turns.map(({ speaker, text }) => `{{${speaker}}}: ${text}`).join("\n")}`)
    .join("\n");
}
