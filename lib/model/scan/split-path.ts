/** `os.path.join` as the module and the name in it. */
export function splitPath(path: string): [module: string, name: string] {
  const dot = path.lastIndexOf('.');
  return [path.slice(0, Math.max(dot, 0)), path.slice(dot + 1)];
}
