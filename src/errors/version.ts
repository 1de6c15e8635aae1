/** Sampan's version; a test holds it to package.json. In the lowest folder, because all others may want to tell it. */
export const version = "0.1.0";
