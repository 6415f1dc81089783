// The last step of a build, called by Trunk (Trunk.toml): the files get their final names, the modules into which the client is
// cut are added, everything is shrunk, and the service worker gets the list of it. Each step is a file in web/finish/.
import { addModules, linkModules } from "./finish/modules.mjs";
import { name } from "./finish/names.mjs";
import { seal } from "./finish/release.mjs";
import { minify } from "./finish/shrink.mjs";
import { WORKER, isRelease, keepingHash, list } from "./finish/staging.mjs";

name();
const added = addModules();
if (isRelease) {
  const scripts = list().filter((file) => /\.(css|js)$/.test(file) && file !== WORKER);
  for (const file of scripts) keepingHash(file, () => minify(file));
}
linkModules(added);
seal();
