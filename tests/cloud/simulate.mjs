// Reads simulations as JSON lines, writes one verdict a line. The package is found from the working
// directory, where the test has installed it; nothing of it is in this repository.
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'

const { runSimulation } = createRequire(`${process.cwd()}/`)('@cloud-copilot/iam-simulate')

for await (const line of createInterface({ input: process.stdin })) {
  const answer = await runSimulation(JSON.parse(line), {})
  const errors = answer.resultType === 'error' ? JSON.stringify(answer.errors) : undefined
  console.log(JSON.stringify({ verdict: answer.overallResult, errors }))
}
