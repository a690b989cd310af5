import { main } from '../../lib/cli/program';

/** Runs a command line as the program does, and hands back what it wrote. */
export async function fledge(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  const written = { out: '', err: '' };
  const take = (where: 'out' | 'err') => (text: string | Uint8Array) => {
    written[where] += text;
    return true;
  };
  const spies = [
    jest.spyOn(process.stdout, 'write').mockImplementation(take('out')),
    jest.spyOn(process.stderr, 'write').mockImplementation(take('err')),
  ];
  const code = await main(argv);
  for (const spy of spies) spy.mockRestore();
  return { code, ...written };
}
