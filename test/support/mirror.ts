import { existsSync, mkdirSync, mkdtempSync, renameSync } from "node:fs";
import { join } from "node:path";
import { machineMirror, testCache } from "./images.ts";
import { succeed } from "./process.ts";
import { program } from "./requires.ts";

/** Writes what apt-get has to know of the packages in a directory: deb-src of one directory, see sources.list(5). */
const index = `
for file in *.deb; do
  case $file in *%*) plain=$(echo "$file" | tr % _); mv "$file" "$plain"; file=$plain;; esac
  dpkg-deb --field "$file"
  echo "Filename: ./$file"
  echo "Size: $(stat -c %s "$file")"
  echo "SHA256: $(sha256sum "$file" | cut -d " " -f 1)"
  echo
done > Packages`;

/**
 * A directory with Debian's packages of these names and all that they need, as apt-get takes it (`deb [trusted=yes] file:DIR
 * ./`) beside the image of `debian()`; kept in /var/tmp for the next run.
 */
export async function debianMirror(packages: readonly string[]): Promise<string> {
  const mirror = join(testCache, ["mirror-bookworm", ...packages].join("-"));
  if (existsSync(mirror)) return mirror;
  mkdirSync(testCache, { recursive: true });
  const aside = mkdtempSync(join(testCache, "making-"));
  const args = ["--variant=minbase", "--download-only", `--include=${packages.join()}`, "bookworm", `${aside}/root`];
  await succeed(program("debootstrap") ?? "debootstrap", [...args, ...machineMirror()], { timeout: 900_000 });
  const archives = join(aside, "root/var/cache/apt/archives");
  await succeed("sh", ["-ec", index], { cwd: archives, timeout: 120_000 });
  renameSync(archives, mirror);
  await succeed("rm", ["-rf", "--one-file-system", aside]);
  return mirror;
}
