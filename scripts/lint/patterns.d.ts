export function whySlow(source: string, flags: string): string | undefined
