/** The virtio-serial port on which a guest's agent listens for programs to run. */
export const agentPortName = "org.adjunct.agent.0";
