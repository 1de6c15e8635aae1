import { isSpace } from "./characters.ts";

/** Collects a text, and beside it the words that it falls into. */
export class WordSplitter {
  #text = "";
  #word = "";
  readonly #words: string[] = [];

  /** Text in which spaces separate words. */
  addSplit(text: string): void {
    this.#text += text;
    for (const character of text) {
      if (!isSpace(character)) this.#word += character;
      else this.#end();
    }
  }

  /** Text that was quoted or escaped: it never ends a word. */
  addWhole(text: string): void {
    this.#text += text;
    this.#word += text;
  }

  finish(): { readonly text: string; readonly words: readonly string[] } {
    this.#end();
    return { text: this.#text, words: this.#words };
  }

  #end(): void {
    if (this.#word !== "") this.#words.push(this.#word);
    this.#word = "";
  }
}
