import { randomInt } from "node:crypto";
import { SampanError } from "../../errors/index.ts";

/** Moods of people on the water. */
const adjectives =
  "able agile ample bold brave breezy bright brisk buoyant calm candid cheerful clear clever cosy daring deft eager earnest easy fair faithful fearless festive firm fleet fond frank free fresh gallant generous gentle glad golden graceful grand happy hardy hearty helpful honest hopeful jaunty jolly jovial keen kind lively loyal lucid lucky mellow merry mighty mild modest neat nimble noble patient peaceful placid plucky polite proud quick quiet ready resolute robust salty serene sharp silver sincere sleek smooth snug sober sound spry stalwart staunch steady stout sturdy sunny sure swift tidal tidy tranquil trusty upbeat valiant vivid warm wary willing windy wise witty zesty".split(
    " ",
  );

/** Sailors, shipbuilders, navigators, mapmakers and the people who explained the sea. */
const surnames =
  "amundsen anson baffin baret battuta beaufort behaim bering blackburn bligh bougainville bowditch brunel cabot cartier chang cheng chichester columbus cook cousteau dampier darwin davis dias drake ealdred earle elcano eriksson fitzroy flinders franklin frobisher galton gama gatty gilbert gray hadley halley harrison hasler henson heyerdahl hipparchus hudson humboldt ibnmajid jourdain joyon kane kelvin kidd knox lapita laperouse lind lusitano magellan mahan malaspina marconi maury mcclintock mercator moitessier mylius nansen naomi nares nelson nordenskiold ortelius parry peary pigafetta pinzon piri plimsoll polo ptolemy pytheas quiros raleigh riou ross rousmaniere scoresby scott shackleton slocum soto stevin sverdrup tabarly tasman thales tharp tilman torres tupaia vancouver verrazzano vespucci villiers weddell wilkes willoughby worsley xu zhenghe zheng".split(
    " ",
  );

/** A name nobody chose: "calm_tupaia"; from the third attempt on with a number. */
export function randomName(attempt = 0): string {
  const name = `${pick(adjectives)}_${pick(surnames)}`;
  return attempt < 2 ? name : `${name}${randomInt(10 ** Math.min(attempt, 12))}`;
}

function pick(list: readonly string[]): string {
  return list[randomInt(list.length)] ?? "";
}

/** A name as the record keeps it, without the slash that Docker's API allows in front. Throws `invalid` with dockerd's text. */
export function parseName(text: string): string {
  const name = text.startsWith("/") ? text.slice(1) : text;
  if (/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(name)) return name;
  const allowed = "only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed";
  throw new SampanError("invalid", `Invalid container name (${text}), ${allowed}`);
}
