/** What a thrown value says; an error without words is called by its name. */
export const errorMessage = (thrown: unknown): string => (thrown instanceof Error ? thrown.message || thrown.name : String(thrown))
